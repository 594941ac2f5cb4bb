// SPDX-License-Identifier: Apache-2.0
#include "ir/kernel.h"

#include <algorithm>

namespace barline::ir {
namespace {

std::int64_t rounded_up(std::int64_t bytes, std::int64_t align) {
  return (bytes + align - 1) / align * align;
}

}  // namespace

const Attr* Operation::find(Key key) const {
  for (const Attr& a : attrs)
    if (a.key == key) return &a;
  return nullptr;
}

std::int64_t Operation::attr(Key key, std::int64_t otherwise) const {
  const Attr* a = find(key);
  return a ? a->value : otherwise;
}

void Operation::set(Key key, std::int64_t value) {
  for (Attr& a : attrs)
    if (a.key == key) {
      a.value = value;
      return;
    }
  attrs.push_back({key, value, {}});
}

void Operation::set(Key key, std::string text) {
  for (Attr& a : attrs)
    if (a.key == key) {
      a.text = std::move(text);
      return;
    }
  attrs.push_back({key, 0, std::move(text)});
}

ValueId Kernel::new_value(Type type, std::string name) {
  values.push_back({type, std::move(name)});
  return static_cast<ValueId>(values.size() - 1);
}

int Kernel::param_of(ValueId v) const {
  for (std::size_t i = 0; i < params.size(); ++i)
    if (params[i].value == v) return static_cast<int>(i);
  return -1;
}

int Kernel::slot_of(ValueId v) const {
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (slots[i].value == v) return static_cast<int>(i);
  return -1;
}

std::vector<const Operation*> definitions(const Kernel& k) {
  std::vector<const Operation*> defs(k.values.size(), nullptr);
  walk(k.body, [&](const Operation& op) {
    for (ValueId v : op.out) defs[v] = &op;
  });
  return defs;
}

Root root_of(const Kernel& k, const std::vector<const Operation*>& defs, ValueId pointer) {
  Root root;
  if (const Operation* def = defs[pointer]; def && def->is(Op::SlotAt)) {
    root.use = def->in[1];
    pointer = def->in[0];
  } else if (def && def->is(Op::Choose)) {
    root.chosen = def->in[0];
    for (std::size_t i = 1; i < def->in.size(); ++i) root.params.push_back(k.param_of(def->in[i]));
    if (!root.params.empty()) root.param = root.params[0];
    return root;
  }
  root.param = k.param_of(pointer);
  if (root.param >= 0) root.params = {root.param};
  root.slot = k.slot_of(pointer);
  return root;
}

std::int64_t slot_pitch(const Slot& slot) {
  std::int64_t bytes_of_copy = (slot.extent * bits(slot.elem) + 7) / 8;
  if (slot.elem == Elem::I1) bytes_of_copy = slot.extent;
  return rounded_up(bytes_of_copy, slot.align);
}

std::int64_t slot_offset(const Kernel& k, int slot) {
  std::int64_t offset = 0;
  for (int i = 0; i < slot; ++i) {
    offset = rounded_up(offset, k.slots[i].align);
    offset += slot_pitch(k.slots[i]) * k.slots[i].copies;
  }
  bool is_slot = slot < static_cast<int>(k.slots.size());
  return is_slot ? rounded_up(offset, k.slots[slot].align) : offset;
}

std::int64_t shared_bytes(const Kernel& k) {
  return slot_offset(k, static_cast<int>(k.slots.size()));
}

}  // namespace barline::ir
