// SPDX-License-Identifier: Apache-2.0
// All states of a small protocol, breadth first, so that the way to a fault is the shortest.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace barline::verify {

struct WalkVerdict {
  std::string fault;               ///< empty: every interleaving is right and ends
  std::vector<std::string> steps;  ///< that lead to it, the fewest
  std::size_t states = 0;
};

/// State::key() gives the text that tells states apart.
template <class State>
class StateWalk {
 public:
  /// From `first` on, until a fault: expand(i) adds what follows state i, or says what is wrong.
  template <class Expand>
  WalkVerdict run(State first, Expand expand) {
    add(std::move(first), 0, "");
    for (std::size_t i = 0; i < states_.size() && verdict_.fault.empty(); ++i) expand(i);
    verdict_.states = states_.size();
    return std::move(verdict_);
  }

  /// Valid until the next add().
  const State& operator[](std::size_t i) const { return states_[i]; }

  /// A state that `step` leads to from state `from`; nothing if it is known.
  void add(State s, std::size_t from, std::string step) {
    if (!known_.emplace(s.key(), states_.size()).second) return;
    states_.push_back(std::move(s));
    origins_.push_back({from, std::move(step)});
  }

  /// What `step`, if any, does wrong in the state. The first fault stays.
  void fault(std::size_t state, std::string step, std::string what) {
    if (!verdict_.fault.empty()) return;
    verdict_.fault = std::move(what);
    if (!step.empty()) verdict_.steps.push_back(std::move(step));
    for (; state != 0; state = origins_[state].from) verdict_.steps.push_back(origins_[state].step);
    std::reverse(verdict_.steps.begin(), verdict_.steps.end());
  }

 private:
  struct Origin {
    std::size_t from = 0;
    std::string step;
  };

  std::vector<State> states_;
  std::vector<Origin> origins_;
  std::unordered_map<std::string, std::size_t> known_;
  WalkVerdict verdict_;
};

}  // namespace barline::verify
