// SPDX-License-Identifier: Apache-2.0
// All portable functions: templates over a value type with the operations of dsl/portable/ops.h.
// For plain floats on the host include dsl/portable/host_math.h.
#pragma once

#include "dsl/portable/activation.h"
#include "dsl/portable/exp.h"
#include "dsl/portable/log.h"
#include "dsl/portable/trig.h"
