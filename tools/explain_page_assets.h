// SPDX-License-Identifier: Apache-2.0
// How the page of `barline explain --html` looks and acts (tools/explain_page.h).
#pragma once

#include <string_view>

namespace barline::tools {

inline constexpr std::string_view explain_style = R"css(
:root { color-scheme: light dark; --ink: #1c2430; --faint: #5a6472; --paper: #fff; --panel: #f5f7fa;
  --rule: #d5dae1; --mark: #fff1b8; --new: #e3f6e5; --gone: #fbe6e6; --accent: #2f6fb0; }
@media (prefers-color-scheme: dark) { :root { --ink: #dde3ea; --faint: #98a3b0; --paper: #14181d;
  --panel: #1c2128; --rule: #343b45; --mark: #5a4a12; --new: #173a20; --gone: #47201f; --accent: #7db3e8; } }
* { box-sizing: border-box; }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; color: var(--ink);
  background: var(--paper); font: 14px/1.45 system-ui, sans-serif; }
header { padding: 14px 20px; border-bottom: 1px solid var(--rule); }
h1 { margin: 0; font-size: 19px; }
summary { color: var(--faint); cursor: pointer; }
nav, .passes { display: flex; flex-wrap: wrap; gap: 6px; padding: 10px 20px; align-items: center; }
.passes { padding: 0 0 8px; }
button { font: inherit; padding: 3px 10px; border: 1px solid var(--rule); border-radius: 5px;
  color: inherit; background: var(--panel); cursor: pointer; }
button[aria-pressed=true] { color: #fff; background: var(--accent); border-color: var(--accent); }
button small { opacity: .75; }
main { flex: 1; min-height: 0; padding: 0 20px 14px; }
.tab { display: none; height: 100%; overflow: auto; }
.tab.shown { display: flex; flex-direction: column; align-items: stretch; }
.pair { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(280px, 2fr) 3fr; gap: 14px; }
.scroll { overflow: auto; border: 1px solid var(--rule);
  border-radius: 6px; background: var(--panel); }
pre, .lines { margin: 0; font: 12px/1.5 ui-monospace, monospace; white-space: pre; }
pre { padding: 10px; flex: none; border: 1px solid var(--rule); border-radius: 6px; background: var(--panel); }
.lines { width: max-content; min-width: 100%; padding: 6px 0; }
.lines > div { padding: 0 10px; }
.lines i { display: inline-block; width: 4em; color: var(--faint); font-style: normal; user-select: none; }
.new { background: var(--new); } .gone { background: var(--gone); text-decoration: line-through; }
[data-at] { cursor: pointer; }
.lit { background: var(--mark) !important; }
.changes .same { display: none; }
.stage { display: none; } .stage.shown { display: block; }
h2 { font-size: 15px; margin: 18px 0 6px; }
h3 { font-size: 13px; margin: 0; padding: 8px 10px 0; color: var(--faint); font-weight: 600; }
table { border-collapse: collapse; width: max-content; } th, td { padding: 4px 12px; border-bottom: 1px solid var(--rule); text-align: right; }
th:first-child, td:first-child, td:last-child, th:last-child { text-align: left; }
svg { flex: none; max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
)css";

inline constexpr std::string_view explain_script = R"js(
const all = (q, of = document) => [...of.querySelectorAll(q)];
function choose(buttons, parts, key) {
  for (const b of buttons) b.onclick = () => {
    for (const other of buttons) other.setAttribute('aria-pressed', other === b);
    for (const p of parts) p.classList.toggle('shown', p.dataset[key] === b.dataset[key]);
  };
  if (buttons.length) buttons[0].click();
}
choose(all('nav button[data-tab]'), all('.tab'), 'tab');
choose(all('.passes button[data-pass]'), all('.stage'), 'pass');
const only = document.getElementById('only');
only.onclick = () => {
  const on = only.getAttribute('aria-pressed') !== 'true';
  only.setAttribute('aria-pressed', on);
  document.getElementById('ir').classList.toggle('changes', on);
};
// A line of either side lights up what stands for it on the other.
function light(at) {
  for (const e of all('.lit')) e.classList.remove('lit');
  for (const e of all(`[data-at="${at}"]`)) e.classList.add('lit');
}
document.addEventListener('click', event => {
  const line = event.target.closest('[data-at]');
  if (!line) return;
  light(line.dataset.at);
  const other = line.closest('#source') ? '.stage.shown' : '#source';
  const there = document.querySelector(`${other} [data-at="${line.dataset.at}"]`);
  if (there) there.scrollIntoView({ block: 'center' });
});
const first = document.querySelector('#source [data-at]');
if (first) first.scrollIntoView({ block: 'center' });
// page.html#place_syncs opens a pass, page.html#PTX a tab.
const wanted = decodeURIComponent(location.hash.slice(1));
for (const b of all('button')) if (wanted && [b.dataset.pass, b.dataset.tab].includes(wanted)) b.click();
document.documentElement.dataset.ready = all('.stage').length;
)js";

}  // namespace barline::tools
