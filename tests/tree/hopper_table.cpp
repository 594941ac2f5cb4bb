// SPDX-License-Identifier: Apache-2.0
#include "tests/tree/hopper_table.h"

#include <fmt/format.h>
#include <algorithm>
#include <functional>
#include <tuple>
#include <vector>

using nlohmann::json;

namespace barline::test {
namespace {

constexpr std::string_view ours = "barline ", reader = "read-only kernel";

std::string name_of(const json& row) { return row.at("name"); }
bool is_ours(const json& row) { return name_of(row).starts_with(ours); }
bool dependent(const json& row) { return row.value("dependent", false); }
bool in_calls(const json& row) { return row.contains("calls"); }
/// Another product: the weights' codes by activations that are integers, too.
bool of_integers(const json& row) { return row.value("dtype", "") == "s8"; }

std::string schedule(const json& row) {
  std::string name = name_of(row);
  name = name.substr(name.find('@') + 1);
  return name.substr(0, name.find(' '));
}

/// Rows of one problem in one mode, in the order of the record.
struct Group {
  std::vector<json> rows;

  using Which = std::function<bool(const json&)>;
  const json* best(const Which& which) const {
    const json* best = nullptr;
    for (const json& row : rows)
      if (which(row) && (!best || row.at("us") < best->at("us"))) best = &row;
    return best;
  }
  const json& front() const { return rows.front(); }
};

std::vector<Group> groups_of(const json& record, const Group::Which& which) {
  auto key = [](const json& row) {
    std::vector<json> key;
    for (const char* field : {"kernel", "bits", "segments", "M", "N", "K", "T", "D", "mode"})
      key.push_back(row.value(field, json()));
    return key;
  };
  std::vector<Group> out;
  for (const json& row : record.at("rows")) {
    if (row.contains("refused") || !which(row)) continue;
    auto at = std::find_if(out.begin(), out.end(),
                           [&](const Group& g) { return key(g.front()) == key(row); });
    if (at == out.end()) at = out.insert(out.end(), Group{});
    at->rows.push_back(row);
  }
  std::stable_sort(out.begin(), out.end(), [](const Group& a, const Group& b) {
    auto order = [](const json& r) {
      return std::tuple(r.value("bits", 0), r.value("K", 0) * r.value("N", 0), r.value("M", 0));
    };
    return order(a.front()) < order(b.front());
  });
  return out;
}

std::string us(const json* row) {
  return row ? fmt::format("{:.2f}", row->at("us").get<double>()) : "";
}

std::string with_schedule(const json* row) {
  return row ? fmt::format("`{}` {}", schedule(*row), us(row)) : "";
}

std::string named(const json* row) { return row ? name_of(*row) + " " + us(row) : ""; }

/// How many times as long `a` takes as `b`.
std::string ratio(const json* a, const json* b) {
  return a && b ? fmt::format("{:.2f}", a->at("us").get<double>() / b->at("us").get<double>()) : "";
}

std::string tflops(const json* row) {
  return row && row->contains("tflop_per_s")
             ? fmt::format("{:.0f}", row->at("tflop_per_s").get<double>())
             : "";
}

/// "int4 | 4096 + 1024 + 1024 | 4096 | 16"
std::string sizes(const json& row) {
  std::string outputs;
  for (const char* segment : {"q", "k", "v"})
    outputs += fmt::format("{}{}", outputs.empty() ? "" : " + ",
                           row.at("segments").at(segment).get<long>());
  return fmt::format("int{} | {} | {} | {}", row.at("bits").get<int>(), outputs,
                     row.at("K").get<long>(), row.at("M").get<long>());
}

bool plain_row(const json& r) { return is_ours(r) && !in_calls(r) && !dependent(r); }
bool dependent_row(const json& r) { return is_ours(r) && !in_calls(r) && dependent(r); }
bool peer_row(const json& r) { return !is_ours(r) && name_of(r) != reader && !of_integers(r); }
bool reader_row(const json& r) { return name_of(r) == reader; }

std::string decode_table(const std::vector<Group>& groups) {
  std::string out =
      "| weights | outputs | K | M | plain, µs | beside the grid before, µs | reading the weights, "
      "µs | best peer, µs | peer / plain |\n|---|---|---:|---:|---|---|---:|---|---:|\n";
  for (const Group& g : groups) {
    const json *plain = g.best(plain_row), *peer = g.best(peer_row);
    out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", sizes(g.front()), with_schedule(plain),
                       with_schedule(g.best(dependent_row)), us(g.best(reader_row)), named(peer),
                       ratio(peer, plain));
  }
  return out;
}

std::string calls_table(const std::vector<Group>& groups) {
  std::string out =
      "| weights | outputs | K | M | one call, µs | three calls, µs | three / one |\n"
      "|---|---|---:|---:|---|---|---:|\n";
  for (const Group& g : groups) {
    const json* one = g.best([](const json& r) { return is_ours(r) && !in_calls(r); });
    const json* three = g.best([](const json& r) { return is_ours(r) && in_calls(r); });
    if (three)
      out += fmt::format("| {} | {}{} | {}{} | {} |\n", sizes(g.front()), with_schedule(one),
                         dependent(*one) ? ", dependent" : "", with_schedule(three),
                         dependent(*three) ? ", dependent" : "", ratio(three, one));
  }
  return out;
}

std::string prefill_table(const std::vector<Group>& groups) {
  std::string out =
      "| weights | outputs | K | M | mode | plain, µs | TFLOP/s | best peer, µs | peer / plain | "
      "`_int_mm` of int8 activations, µs |\n|---|---|---:|---:|---|---|---:|---|---:|---:|\n";
  for (const Group& g : groups) {
    const json *plain = g.best(plain_row), *peer = g.best(peer_row);
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", sizes(g.front()),
                       g.front().at("mode").get<std::string>(), with_schedule(plain), tflops(plain),
                       named(peer), ratio(peer, plain), us(g.best(of_integers)));
  }
  return out;
}

std::string products_table(const std::vector<Group>& groups) {
  std::string out =
      "| product | sizes | mode | barline, µs | TFLOP/s | peers, µs | best peer / barline |\n"
      "|---|---|---|---|---:|---|---:|\n";
  for (const Group& g : groups) {
    std::string sizes, peers;
    for (const char* axis : {"M", "N", "K", "B", "H", "G", "T", "S", "D"})
      if (g.front().contains(axis))
        sizes +=
            fmt::format("{}{}={}", sizes.empty() ? "" : " ", axis, g.front()[axis].get<long>());
    for (const json& row : g.rows)
      if (!is_ours(row)) peers += (peers.empty() ? "" : "; ") + named(&row);
    const json* best = g.best(is_ours);
    out += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} |\n", g.front().at("kernel").get<std::string>(), sizes,
        g.front().at("mode").get<std::string>(),
        best ? fmt::format("`{}` {}", name_of(*best).substr(ours.size()), us(best)) : "not timed",
        tflops(best), peers, ratio(g.best([](const json& r) { return !is_ours(r); }), best));
  }
  return out;
}

}  // namespace

bool compares(const json& record) {
  const json rows = record.value("rows", json::array());
  return std::any_of(rows.begin(), rows.end(),
                     [](const json& r) { return r.value("name", "").starts_with(ours); });
}

std::string hopper_page(const json& record) {
  auto text = [&](const char* key) { return record.value(key, std::string()); };
  auto projections = [&](bool prefill) {
    return groups_of(record, [=](const json& r) {
      return r.contains("segments") && (r.value("mode", "graph") != "graph") == prefill;
    });
  };
  std::string out = fmt::format(
      "# Hopper\n\nWritten from `bench/results/` by `scripts/update_docs`; a test compares the "
      "two.\n\n{}, driver {}, {}, commit {}, beside {}. {}\n\nHarness of `bench/peers/harness.py`: "
      "{}. Plain: launched after the grid before has ended; beside the grid before: with "
      "programmatic dependent launch. Ratios above 1: barline is faster.\n",
      text("device"), text("driver"), text("date").substr(0, 10), text("commit"), text("peer"),
      text("note"), text("harness"));
  out +=
      "\n## A few tokens\n\nThe fastest schedule of each; the reader is a kernel that reads the "
      "weights' bytes and does nothing else.\n\n" +
      decode_table(projections(false));
  out +=
      "\n## One call against three\n\nq, k and v in one launch, or in one launch each; the "
      "fastest of all schedules either way.\n\n" +
      calls_table(projections(false));
  out +=
      "\n## Many tokens\n\nBurst: one short graph on a cool card; sustained: at the power "
      "limit.\n\n" +
      prefill_table(projections(true));
  out += "\n## Square products and causal attention\n\n" +
         products_table(groups_of(record, [](const json& r) { return r.contains("kernel"); }));
  return out;
}

}  // namespace barline::test
