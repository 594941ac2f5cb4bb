// SPDX-License-Identifier: Apache-2.0
// What a kernel author includes.
#pragma once

#include "dsl/kernel.h"
#include "dsl/math.h"
#include "dsl/registry.h"
