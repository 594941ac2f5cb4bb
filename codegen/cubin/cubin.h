// SPDX-License-Identifier: Apache-2.0
// A bounds-checked reader of cubins (ELF64 of the CUDA machine): sections, kernels, their code and
// the resource records of .nv.info. It trusts no byte, so it may be fed anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace barline::codegen {

/// The bytes are not a whole cubin; the text names the structure and the bound that it breaks.
struct CubinError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One section. Views live as long as the bytes given to `Cubin::parse`.
struct Section {
  std::string_view name;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t size = 0;            ///< also of a section without bytes in the file (NOBITS)
  std::span<const std::byte> bytes;  ///< empty for NOBITS
  std::uint32_t link = 0, info = 0;
};

/// What the cubin itself says of one kernel. `nullopt`: the cubin does not say.
struct KernelRecord {
  std::string_view name;
  std::span<const std::byte> text;  ///< .text.<kernel>, whole: callees are laid behind the kernel
  std::optional<int> registers;     ///< EIATTR_REGCOUNT
  std::optional<int> section_registers;  ///< top byte of .text's sh_info (before sm_90)
  std::optional<int> frame;              ///< bytes of the kernel's own stack frame
  std::optional<int> min_stack;          ///< bytes of stack along the deepest call chain
  /// Bytes of the largest frame among the functions of this kernel's section, as .nv.info has them;
  /// where a linker could not tell the stack, among all functions that stand by themselves.
  std::optional<int> callee_frame;
  std::optional<int> barriers;  ///< named-barrier resources
  std::optional<int> param_bytes;
  std::vector<int> max_threads = {};       ///< .maxntid x, y, z; empty when not given
  std::vector<int> required_threads = {};  ///< .reqntid x, y, z
  std::uint64_t smem_section = 0;          ///< size of .nv.shared.<kernel>, reserved bytes included
  int smem_static = 0;  ///< the same less the target's reserved bytes, as ptxas prints
  std::vector<std::string> callees = {};  ///< device functions inside this kernel's section
};

class Cubin {
 public:
  /// Reads and checks everything below; throws CubinError. Does not copy the bytes.
  static Cubin parse(std::span<const std::byte> bytes);

  int sm() const { return sm_; }  ///< 90 for sm_90a; 0 when the flags' layout is not known
  bool relocatable() const { return relocatable_; }  ///< an object that is not linked yet
  const std::vector<Section>& sections() const { return sections_; }
  const std::vector<KernelRecord>& kernels() const { return kernels_; }
  const Section* section(std::string_view name) const;      ///< null when there is none
  const KernelRecord& kernel(std::string_view name) const;  ///< throws CubinError

 private:
  friend class CubinReader;
  int sm_ = 0;
  bool relocatable_ = false;
  std::vector<Section> sections_;
  std::vector<KernelRecord> kernels_;
};

/// Bytes of shared memory per block that the system keeps for itself on this SM (1 KiB from sm_90
/// on); they stand in the section's size and not in ptxas's figure.
int reserved_smem(int sm);

}  // namespace barline::codegen
