# SPDX-License-Identifier: Apache-2.0
# The install tree: relocatable, with headers, CMake package and third-party notices.
