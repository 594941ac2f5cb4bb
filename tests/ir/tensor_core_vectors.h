// SPDX-License-Identifier: Apache-2.0
// Elements of mma.sync results measured on an H200: of every class of operands, and for every rule
// of ir/tensor_core.h some that tell it from a near miss (named behind `not`).
#pragma once

#include <cstdint>
#include <string_view>

#include "ir/type.h"

namespace barline::test {

struct MeasuredDot {
  ir::Elem type;
  std::uint32_t c, d;     ///< bits of the f32 start and result
  std::string_view a, b;  ///< four hex digits an operand; 8 (m16n8k8) or 16 (m16n8k16) of them
};

using ir::Elem;
// clang-format off
inline constexpr MeasuredDot measured_dots[] = {
    // random bits: not result to nearest
    {Elem::F16, 0x83e33769, 0x4f136a69,
     "fadae892d68d5b2b0ccc38b319ea74a314fbb083abb7cc9497f4afa2c583ad32",
     "f961b38a3e748dedb9b0bd183ef81433db56de7e8a18401739f717d337162552"},
    // normal
    {Elem::F16, 0xbfaa8e37, 0xc0c452ae,
     "be62bdf53c48b2debc802d25377d3a603690a801bc813c8c3f973dcb3e1fb60f",
     "a5603669bde73d5ebd2e3cf52c0bbdc938d8bfc135193e8eb4f7be30be62bee4"},
    // window
    {Elem::F16, 0x2e4b03f1, 0xc2d601d4,
     "dc62c0d0d9674df2ce38d2ce3b8bc6494bdad6d0cd7dbf04565f3c824db253e3",
     "b09f33c4361eba8036ddb07fae9535242ce5b15529513348af263390ae4ebbbe"},
    // zeros
    {Elem::F16, 0x5cb9832e, 0x5cb9832e,
     "784f7a0f8000797deb060000e8b3ea878000f8628000fa8ffa777a3700008000",
     "ed83f8b4775e000079a9000000005ae9fb0c000053450000fb8ff80d7bdb8000"},
    // subnormal in
    {Elem::F16, 0x3fb0647c, 0x3fb0647c,
     "01d58132809202e9810c03fc018f037182be039580438371820d02f2814903e0",
     "02f501360176837803d9013a021703700287034103e881a58104815c83798218"},
    // subnormal out: not 24 bits, 26 bits, normalised exponents, zeros align, two sums of 8
    {Elem::F16, 0xa0303e8a, 0xb32f155a,
     "1ffe10dd80002cd5800001b129cc80658000800303eb807d000080001f870000",
     "8053804480570000805980400000807a0000805f004a8062806100740000806f"},
    // overflow
    {Elem::F16, 0x00000000, 0x4f3b5218,
     "796d7a03f828f8b67bfffac0f93bf8fd7b3878d6f930fbff7a4df8977bff7bff",
     "f815fbcff810fb04fb8e7958fbff7bff78e7fbf0fbff7a2d7bfff8d9785c7bff"},
    // special: not quiet NaN
    {Elem::F16, 0x53d33f10, 0x7fffffff,
     "76bef62de6a0f32df7bff553eb6f6666f1afee86800065d7711ae92ce91ae6b1",
     "56f45424e76179efda0703817f4140400000d04ce5955535cdf280947bc9f318"},
    // cancel
    {Elem::F16, 0x00000000, 0x40680000,
     "c20042004000c0003e00be00ba003a00c200ba003c003c00b8003800b8003800",
     "c200c2003800380042004200bc00bc00be00be00bc00bc00bc00bc00c000c000"},
    // sparse
    {Elem::F16, 0x80000000, 0x40c97e20,
     "00008000000080000000000080000000000080008000800000000000b0918000",
     "f218000039648001000d813fcfad009905ad0000b2049cd400008000d1843591"},
    // signed zeros: not negative zero
    {Elem::F16, 0x80000000, 0x00000000,
     "8000800080008000800080008000800080008000800080008000800080008000",
     "411f3f0243d63d603e2340e73c423e953c823c4841863ebc405d3f1641d13806"},
    // signed zeros: not zeros align, flushed operands, flushed result
    {Elem::F16, 0x00000003, 0x00000003,
     "8000800080008000800080008000800080008000800080008000800080008000",
     "000144a9018c000606b8007e0a233a1323a0002f800630332d0c00003de5388d"},
    // cancel scaled
    {Elem::F16, 0x00000000, 0xba880000,
     "b5003500b8003800bf003f003600b600390037003a00ba00b6003600bd003d00",
     "9400940017001700950095009a009a0094009400960096009e009e009f009f00"},
    // random bits: not result to nearest
    {Elem::F16, 0x42afe3eb, 0x49adb7d7, "4d5e95db4b38f510fb6dc8f68bf81f53",
     "c432f5e53b9ad44a92948345a335e05a"},
    // normal
    {Elem::F16, 0x40035b4a, 0x3fd1db3c, "3a623a8c3f3337aa363c342a3f92b87b",
     "31733e91b387bd933e7cbef7b6df34c6"},
    // window
    {Elem::F16, 0xc9528fc7, 0xc9528fc7, "5183ce22c1db4f83c55f3da943e0cf1d",
     "8a400b210b400b748bca8a750a910b22"},
    // zeros
    {Elem::F16, 0x80000000, 0x00000000, "800000008000800010fc0000000073d5",
     "8000704e73e380008000ecc700008000"},
    // subnormal in
    {Elem::F16, 0xc3662c1e, 0xc3662c1e, "82150065018b80f7032203f8014e0e85",
     "8cb880bd02f503a4029201dc81a601d1"},
    // subnormal out: not 24 bits, 26 bits, normalised exponents, zeros align, flushed operands
    {Elem::F16, 0x33177215, 0xb81be0c0, "000e800e8009800a800c000e80088000",
     "106e519d8000800080001dc4b880dd95"},
    // overflow
    {Elem::F16, 0x7f7fffff, 0x7f7fffff, "78567a4f7bff7b5d786c786d79237b54",
     "7a5e7a247bff7a8178b37bff78d8783f"},
    // special: not quiet NaN
    {Elem::F16, 0xc381167c, 0x7fffffff, "531283318000c87d4faed02b0000ffc5",
     "174b00578000951895a717e197379743"},
    // cancel
    {Elem::F16, 0x80000000, 0x00000000, "b8003800b8003800c2004200ba003a00",
     "400040003800380042004200ba00ba00"},
    // sparse
    {Elem::F16, 0x2f49a2c9, 0xbd742190, "0000800080005290be01800000000000",
     "36a8a4728af891af23e88375144798e3"},
    // signed zeros: not negative zero
    {Elem::F16, 0x80000000, 0x00000000, "8a24887b833687a98b6b90a5862d8c3b",
     "00000000000000000000000000000000"},
    // signed zeros: not zeros align, flushed operands, flushed result
    {Elem::F16, 0x80000003, 0x80000003, "80008000800080008000800080008000",
     "27852d9e3f45382d468819ee1d7746a7"},
    // cancel scaled
    {Elem::F16, 0x80000000, 0x47a80000, "ee006e007400f4007200f200ef007700",
     "4e004f004400cc00ce00cf004a00c800"},
    // random bits: not saturates
    {Elem::BF16, 0x2fcd1c7e, 0xff800000,
     "f6af9a47dfa0b86404e0a34a1cb31a5d2d3f61b16d0589496cd99a7e85d22f96",
     "1ba5eacbcc4244621a3e21278555056a9926531153125db3fec2577098144db6"},
    // normal
    {Elem::BF16, 0xc12f3b9c, 0xc188761a,
     "bf59bfdfbd253d4e3fdfbfbf3fc0bed13efa3fe7bf17bf45bfcbbfc23d79beb9",
     "3fa6bfd8bf91bfcebf823ff8bf483fa73f50bf7cbf563ebbbf8c3faebf89bd0e"},
    // window
    {Elem::BF16, 0x3ca97ebd, 0x3ca97ed0,
     "b77836363e50b7ef36703ba83c87b94439fcb60c363fbe15bb503d943815b66e",
     "360db5e0b526359b35dab58bb63eb59a3611b5e5b559b53a35a135d6b6723672"},
    // zeros
    {Elem::BF16, 0x80000000, 0x00000000,
     "0000000000008000000000000000000080008000800080008000000080000000",
     "0000000080008000800000008000000000008000800080000000000080000000"},
    // subnormal in: not 24 bits, 26 bits, normalised exponents, zeros align, two sums of 8
    {Elem::BF16, 0x2cf32504, 0xbcf23a04,
     "0005807a0008000080180002001d0000001480008000800e0067000380398000",
     "f09e6bfefdf0f298e9e96a81e6c17f016690f736ec34eca4ea5df4227920f9b4"},
    // subnormal out: not 24 bits, floor -132, result to nearest, flushed result
    {Elem::BF16, 0x00000000, 0x0000007c,
     "a558ad002ce99951185b9e152290a377164811d9a9bea88a9440904c9604115e",
     "090888e60b02087308a689668adc0b05899a88bf88020b7e89fc88290a7188d8"},
    // overflow
    {Elem::BF16, 0x00000000, 0x7dab3160,
     "5ee35eed5eff5eff5ea55efd5eff5eaa5ebf5ecb5e905eb95e895eff5ea05eb7",
     "5c005c125c7f5c225c3f5c7f5c1c5c755c765c7f5c555c4d5c7f5c7b5c7f5c7f"},
    // special: not quiet NaN
    {Elem::BF16, 0x7f800000, 0x7fffffff,
     "c7c648458005807947cac719c7cd47b948528000c7a5c76ec79847f8477dc772",
     "8069bc553b2e3bc13b8f3c0a3b6dbc283bcfbc0b8000bc4c3c1e7ffdbbecbbff"},
    // cancel
    {Elem::BF16, 0x80000000, 0xc0bc0000,
     "bf80bfc03f80bf80bf804040c0404040bf00bf80bfc04000bf80c040c0003f80",
     "bf40bf4040004000c000c000bfc0bfc040404040bf00bf00bf80bf8040404040"},
    // sparse: not 26 bits, floor -134, no floor, flushed result, terms to nearest
    {Elem::BF16, 0x80000000, 0x000087d2,
     "000080000000800000008000000023318000000023be80000000800000008000",
     "99010f17153490fd115d9849105a8c91155c99041837975594e10be60b801683"},
    // signed zeros: not negative zero
    {Elem::BF16, 0x80000000, 0x00000000,
     "cb66d06ecea4c940cb96cd3bc9a1d06fd0abcd28d101d042cdf8c969d141c999",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    // cancel scaled
    {Elem::BF16, 0x00000000, 0x486c8000,
     "bd40bd403ca03cc03dc0bce03d80bdc0bd203cc03ce0bd60bd003d20bc803d00",
     "c940c8e049a048a04980c9c04940492048c04920c88049e0c9a049c0c94048e0"},
    // random bits
    {Elem::BF16, 0x16bf8663, 0x57530a1a, "8611d2930cd8786e94742afd61014c79",
     "b4f5ae6b178b1e63f8e829381993bec3"},
    // normal
    {Elem::BF16, 0x40986535, 0x40e033e0, "3ff63facbe8cbe9bbf17bf393f2e3c6a",
     "3fbb3f993fcbbfe13f573f97bfabbf61"},
    // window: not 26 bits, floor -134, no floor, flushed result, terms to nearest
    {Elem::BF16, 0x00000000, 0x8002300a, "02078064071c8001146010628dee9614",
     "ad27af581293ab60a61babd72ebe1224"},
    // zeros: not saturates
    {Elem::BF16, 0xf1363a2a, 0x7f800000, "4cb24a8380004c284c264c6b4bfd4ba8",
     "ec376ccd702ced3b800073f48000ebe9"},
    // subnormal in
    {Elem::BF16, 0x35081c7c, 0x35081c7c, "004d803080128049800b801580708047",
     "8054007900060077006e8011002c000a"},
    // subnormal out: not 24 bits, 26 bits, normalised exponents, zeros align, flushed operands
    {Elem::BF16, 0x8003c804, 0x804eb46a, "c116b892b7fb4dafb20fb87dbba3b9c2",
     "000880000000000080008000800080cf"},
    // overflow
    {Elem::BF16, 0x7d5841d3, 0x7f05ed8d, "58b2597459ff597f59b0599259005979",
     "630d6368637f636b637f6325637f637f"},
    // special: not result to nearest, negative zero
    {Elem::BF16, 0x00000000, 0x00000000, "883988c6074b068e06bc803504be0304",
     "2b092b0aab2e2b1dab770000ab610000"},
    // special: not quiet NaN
    {Elem::BF16, 0xff800000, 0x7fffffff, "3f033f9b3fff006b3f073e8b80473f8b",
     "3807b869b80ab8427fe13870386eb86a"},
    // cancel
    {Elem::BF16, 0x80000000, 0x00000000, "4000c0004000c000bf403f403fc0bfc0",
     "3f803f80bf80bf80c040c0403f803f80"},
    // sparse: not 24 bits, floor -132, zeros align, flushed result
    {Elem::BF16, 0x80000000, 0x8000001d, "80001c7b00009ccb8000800000000000",
     "9cb59a6c176515c79d2d994a16329b0b"},
    // signed zeros
    {Elem::BF16, 0x80000000, 0x00000000, "c2d2c2cac2dbc29900060017c2e1c2ab",
     "00000000000000000000000000000000"},
    // cancel scaled
    {Elem::BF16, 0x533e9760, 0x62600000, "7b00fb007b00fb007b207a807a80fa80",
     "27802780268026802680268027602760"},
};
// clang-format on

}  // namespace barline::test
