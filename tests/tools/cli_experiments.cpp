// SPDX-License-Identifier: Apache-2.0
// sweep, audit and soak on the command line: what is refused before a device is opened, and a
// whole small run where there is one.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/tools/cli.h"
#include "tests/tools/refused.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using barline::test::Refused;
using barline::test::slurp;

TEST_CASE("an experiment that cannot be is exit 2, without a device") {
  const Refused cases[] = {
      {"sweep --wo-split 4 --slice-ctas 2", "wo_split 4, slice_ctas 2"},
      {"sweep --wo-split 4 --slice-ctas 2", "pass --slice-ctas 4 or a smaller --wo-split"},
      {"sweep --wo-split 16", "wo_split 16, slice_ctas 8"},
      {"sweep --wo-split 0", "write positive whole numbers"},
      {"sweep --wo-split '1;2'", "write positive whole numbers"},
      {"sweep --wo-split 1,1", "1 stands twice"},
      {"sweep --slice-ctas 0", "--slice-ctas"},
      {"sweep --wo-split 3 --slice-ctas 6",
       "no schedule of wo_nvfp4 binds it; kernels.yaml has 1, 2, 4, 8"},
      {"sweep --over slices=1,2", "the kernel has no dimension 'slices'"},
      {"sweep --over 4", "write NAME=LIST, as in B=1,2,4"},
      {"sweep --over B=1 --wo-split 1", "one dimension at a time"},
      {"sweep rms_norm", "rms_norm: the kernel has no dimension 'wo_split'"},
      {"sweep wo_nvfp5", "did you mean 'wo_nvfp4'?"},
      {"sweep --launches 1", "--launches"},
      {"sweep --set global_scale=x", "--set global_scale: 'x' is no number"},
      {"sweep --set global_scale", "write name=value"},
      {"sweep --wo-split 1,8 --set slice_ctas=2", "wo_split 8, slice_ctas 2"},
      {"sweep --over N=140,141", "N=141: wo_nvfp4.bf16@cta128_wo_split1 takes multiples of 4"},
      {"sweep --set N=141", "N=141: wo_nvfp4.bf16@cta128_wo_split1 takes multiples of 4"},
      {"sweep --wo-split 1 --set wo_split=8",
       "--set wo_split=8: arm wo_split1 has wo_split 1 of its own; leave it out of --set"},
      {"sweep --set wo_split=9", "arm wo_split1 has wo_split 1 of its own"},
      {"sweep --slice-ctas 8 --set slice_ctas=16", "has slice_ctas 8 of its own"},
      {"sweep --over N=140 --set wo_split=9", "this schedule is compiled for 1"},
      {"sweep --set Q=3", "--set Q: the kernel has no such dimension or scalar"},
      {"sweep --set N=0", "a dimension is a positive whole number"},
      {"sweep --shape bogus", "has no shape 'bogus' in the register; known: sim, decode"},
      {"audit --set slice_ctas=4", "arm A has slice_ctas 16 of its own; leave it out of --set"},
      {"soak --wo-split 1,8 --set slice_ctas=4", "wo_split 8, slice_ctas 4"},
      {"sweep --device gpu", "device 'gpu': this command needs a GPU; use cuda:N"},
      {"soak --device sim", "device 'sim': this command needs a GPU; use cuda:N"},
      {"audit vector_add", "the kernel has no dimension 'wo_split'"},
      {"soak --wo-split 8", "name at least two values, the default first"},
      {"soak --wo-split 1,8 --slice-ctas 4", "wo_split 8, slice_ctas 4"},
      {"soak --noise 2", "--noise"},
  };
  check_refused(cases);
}

TEST_CASE("lists in either form reach the device, which is missed with exit 3") {
  Cli cli;
  const std::string none = "CUDA_VISIBLE_DEVICES= ";
  for (const char* list : {"1,2,4,8", "'1 2 4 8'", "1 2 4 8", "1, 2 4,8"}) {
    Ran r = cli.run(std::string("sweep wo_nvfp4 --wo-split ") + list, none);
    INFO(list << r.err);
    CHECK(r.code == 3);
  }
  CHECK_FALSE(std::filesystem::exists(cli.path("sweep")));
}

TEST_CASE("kernels of one target alone have arms before the device is known") {
  Cli cli;
  for (const char* words :
       {"sweep wo_nvfp4_fast --over B=1,2", "soak wo_nvfp4_chains@next20_K6144 --over B=1,2",
        "sweep wo_nvfp4_fast --over B=1,3",
        "sweep wo_nvfp4_fast64 --shape square8192 --over N=64,128"}) {
    Ran r = cli.run(words, "CUDA_VISIBLE_DEVICES= ");
    INFO(words << "\n" << r.err);
    CHECK(r.code == 3);
  }
  // And what none of its targets has is told in the words of one that has the kernel.
  const Refused cases[] = {{"sweep wo_nvfp4_fast --over K=512", "kernels.yaml has 6144\n"}};
  check_refused(cases);
}

namespace {

const char* const config_fields[] = {"git_sha",
                                     "wo_split",
                                     "total_wo_ctas",
                                     "active_wo_ctas",
                                     "gather_ctas",
                                     "slice_ctas",
                                     "total_grid_ctas_per_seq",
                                     "hidden",
                                     "num_kv_heads",
                                     "K",
                                     "num_threads",
                                     "dtypes",
                                     "seed",
                                     "launches",
                                     "cooperative",
                                     "cache_key",
                                     "cache_status_first_event",
                                     "ir_hash",
                                     "ptx_hash",
                                     "cubin_hash",
                                     "registers",
                                     "spill_stores",
                                     "spill_loads",
                                     "device",
                                     "driver",
                                     "effective_bytes_formula"};

}  // namespace

// The tests' driver takes launches and runs nothing, so that every result is wrong.
TEST_CASE("a result that is not the reference's is told before anything is timed", "[ptxas]") {
  const std::string driver = BARLINE_BINARY_DIR "/lib/libbarline_fake_cuda.so";
  INFO("build barline_fake_cuda");
  REQUIRE(std::filesystem::exists(driver));
  Cli cli;
  const std::string sweep = "sweep wo_nvfp4 --registry " BARLINE_SOURCE_DIR
                            "/kernels.yaml --wo-split 1 --launches 4 --git-sha abc --set "
                            "global_scale=0.5 --out s --slice-ctas ";
  std::filesystem::create_directories(cli.path("s/wo_split1"));
  const char* const earlier[] = {"s/sweep.json", "s/sweep.svg", "s/wo_split1/timing.csv"};
  for (const char* file : earlier) cli.file(file, "of an earlier run");
  Ran r = cli.run(sweep + "2", "BARLINE_LIBCUDA=" + driver);
  INFO(r.err);
  CHECK(r.code == 1);
  CHECK(has(r.err, "s/wo_split1: not equal to split_order: "));
  CHECK(has(r.err, "; nothing was timed"));
  const auto config = nlohmann::json::parse(slurp(cli.path("s/wo_split1/config.json")));
  for (const char* field : config_fields) CHECK(config.contains(field));
  CHECK(config["git_sha"] == "abc");
  CHECK(config["scalars"]["global_scale"] == 0.5);
  CHECK(config["total_grid_ctas_per_seq"] == 8);
  CHECK(config["active_wo_ctas"] == 4);
  CHECK(config["cache_status_first_event"] == "MISS");
  for (const std::string order : {"split_order", "chained", "matmul"}) {
    const auto c =
        nlohmann::json::parse(slurp(cli.path("s/wo_split1/correctness_" + order + ".json")));
    CHECK(c["gate"] == (order == "split_order"));
    CHECK(c["elements"] == 5120);
    CHECK(c["stride"] == 1);
    CHECK(c["max_abs"] > 1.0);
  }
  for (const char* file : earlier) CHECK_FALSE(std::filesystem::exists(cli.path(file)));
  Ran large = cli.run(sweep + "8", "BARLINE_LIBCUDA=" + driver);
  INFO(large.err);
  CHECK(large.code == 1);
  CHECK(has(large.err, "its 32 blocks wait for each other and must be resident at once"));
}

TEST_CASE("what was compared is counted, and a sample is said to be one", "[ptxas]") {
  const std::string driver = "BARLINE_LIBCUDA=" BARLINE_BINARY_DIR "/lib/libbarline_fake_cuda.so";
  Cli cli;
  auto gate = [&](const std::string& words, const std::string& arm) {
    Ran r = cli.run(words + " --launches 2 --out s", driver);
    INFO(r.err);
    REQUIRE(r.code == 1);  // outputs are not computed
    return nlohmann::json::parse(slurp(cli.path("s/" + arm + "/correctness_reference.json")));
  };
  // Its reference computes every element, whatever the size.
  const auto whole = gate("sweep wo_nvfp4_fast --over B=16 --set N=2560", "B16");
  CHECK(whole["elements"] == 16 * 2560);
  CHECK(whole["stride"] == 1);
  CHECK(whole["max_abs"] > 1.0);
  const auto sampled =
      gate("sweep matmul --shape sim --over M=1024 --set N=1024 --set K=512", "M1024");
  CHECK(sampled["stride"] == 3);
  CHECK(sampled["elements"] == (1024 * 1024 + 2) / 3);
  CHECK(sampled["max_abs"] > 1.0);
  CHECK(has(sampled["text"], "one in 3"));
}

TEST_CASE("a small sweep leaves its files, and a soak goes on where it was", "[gpu]") {
  Cli cli;
  Ran r = cli.run("sweep wo_nvfp4 --shape sim --wo-split 1,8 --launches 4 --out s --json");
  if (r.code == 3) {
    WARN("SKIP: " << r.err);
    return;
  }
  INFO(r.err);
  REQUIRE(r.code == 0);
  const auto doc = nlohmann::json::parse(r.out);
  REQUIRE(doc["rows"].size() == 2);
  CHECK(doc["rows"][1]["max_abs"] == 0.0);
  const auto config = nlohmann::json::parse(slurp(cli.path("s/wo_split8/config.json")));
  for (const char* field : config_fields) CHECK(config.contains(field));
  for (const char* file : {"timing.csv", "correctness_split_order.json", "correctness_chained.json",
                           "correctness_matmul.json"})
    CHECK(std::filesystem::exists(cli.path(std::string("s/wo_split8/") + file)));
  CHECK(std::filesystem::exists(cli.path("s/sweep.svg")));
  const std::string again = "sweep wo_nvfp4 --shape sim --wo-split 1,4,8 --launches 4 --out s";
  Ran resumed = cli.run(again + " --json");
  REQUIRE(resumed.code == 0);
  CHECK(has(resumed.err, "s/wo_split8: timed before"));
  const auto rows = nlohmann::json::parse(resumed.out)["rows"];
  CHECK(rows[0]["resumed"] == true);
  CHECK(rows[1]["resumed"] == false);
  CHECK(rows[2]["median_us"].get<double>() ==
        Approx(doc["rows"][1]["median_us"].get<double>()).margin(1e-3));
  const std::string soak = "soak --shape sim --wo-split 1,8 --launches 3 --out k --json --rounds ";
  CHECK(cli.run(soak + "2").code == 0);
  r = cli.run(soak + "3");
  INFO(r.err);
  REQUIRE(r.code == 0);
  const auto verdict = nlohmann::json::parse(r.out);
  CHECK(verdict["resumed_at"] == 2);
  CHECK(verdict["rounds"] == 3);
  REQUIRE(verdict["verdicts"].size() == 1);
  CHECK(verdict["verdicts"][0]["arm"] == "wo_split8");
}
