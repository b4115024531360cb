#pragma once

#include "cli/call.hpp"

// `template edit` and `template diff`: the operator's copies of built-in templates, and what became of both since.
//
// Always: a copy is never overwritten. From which built-in text it was made is remembered beside it (copies.hpp).

namespace postrider::cli {

int edit_template(Call&);
int diff_templates(Call&);

}
