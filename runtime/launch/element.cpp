// SPDX-License-Identifier: Apache-2.0
#include "runtime/launch/element.h"

namespace barline::runtime {
namespace {

struct Row {
  std::string_view name;
  Element element;
};

constexpr Row rows[] = {
    {"i1", {ElementCode::Bool, 8}},
    {"s4", {ElementCode::Int, 4}},
    {"s8", {ElementCode::Int, 8}},
    {"s16", {ElementCode::Int, 16}},
    {"s32", element::s32},
    {"s64", element::s64},
    {"u4", {ElementCode::UInt, 4}},
    {"u8", {ElementCode::UInt, 8}},
    {"u16", {ElementCode::UInt, 16}},
    {"u32", element::u32},
    {"u64", element::u64},
    {"f16", {ElementCode::Float, 16}},
    {"bf16", {ElementCode::Bfloat, 16}},
    {"f32", element::f32},
    {"f64", element::f64},
    {"e4m3", {ElementCode::Float8E4M3, 8}},
    {"e5m2", {ElementCode::Float8E5M2, 8}},
    {"e2m1", {ElementCode::Float4E2M1, 4}},
};

}  // namespace

std::string_view name(Element element) {
  for (const Row& row : rows)
    if (row.element == element) return row.name;
  return "?";
}

std::optional<Element> parse_element(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.element;
  return std::nullopt;
}

}  // namespace barline::runtime
