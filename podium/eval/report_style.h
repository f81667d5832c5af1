// The style sheet of report.html.
#pragma once

namespace podium::eval {

inline constexpr const char* kReportStyle = R"(
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5b6672;--rail:#e3e7eb;--card:#f6f8fa;
--accent:#0b62c4;--plain:#7a8794;--up:#147a3d;--down:#b3261e}
@media (prefers-color-scheme:dark){:root{--bg:#111418;--fg:#e6eaee;--dim:#9aa5b1;--rail:#2b323a;
--card:#191e24;--accent:#6cb2ff;--plain:#8b98a5;--up:#5fd08a;--down:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{margin:0;font-size:1.8rem}h2{margin:2.5rem 0 .5rem;font-size:1.25rem}
h3{margin:.75rem 0 .25rem;font-size:1rem}
p{max-width:46rem;margin:.25rem 0 1rem}.lead,section>p,footer,small,figcaption{color:var(--dim)}
.facts{display:flex;flex-wrap:wrap;gap:.5rem 1.75rem;margin:1rem 0}
.facts dt{color:var(--dim);font-size:.8rem}.facts dd{margin:0;font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem;
margin-bottom:1rem}
figure{margin:0;padding:.75rem;background:var(--card);border-radius:.5rem}
figcaption{margin-bottom:.4rem;font-size:.9rem}
.intervals .row{display:grid;grid-template-columns:minmax(0,9.5rem) minmax(2rem,1fr) 3.6rem;
gap:.5rem;align-items:center;font-size:.82rem}
.row .name{overflow-wrap:anywhere;line-height:1.25}
.num{text-align:right;font-variant-numeric:tabular-nums}
.track{width:100%;height:1.35rem;overflow:visible}
svg path{fill:none;vector-effect:non-scaling-stroke;stroke-linecap:round}
.rail{stroke:var(--rail)}.range{stroke:var(--plain);stroke-width:2}
.dot{stroke:var(--plain);stroke-width:9}.bar{fill:var(--accent)}
.strong .range,.strong .dot,.curve{stroke:var(--accent)}.curve{stroke-width:1.6}
.line svg{width:100%;height:auto}.line text{fill:var(--dim);font-size:11px}
.scroll{overflow-x:auto;margin-bottom:1rem}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .7rem;text-align:right;border-bottom:1px solid var(--rail);white-space:nowrap;
vertical-align:top}
tbody th,thead th:first-child{text-align:left;font-weight:500}
tbody th{position:sticky;left:0;background:var(--bg);white-space:normal;min-width:8.5rem}
td small,th small{display:block;font-size:.75rem}
.strong>th{color:var(--accent)}.up{color:var(--up)}.down{color:var(--down)}
details{margin-bottom:.6rem;padding:.5rem .9rem;background:var(--card);border-radius:.5rem}
summary{cursor:pointer;font-weight:500}
.lists{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:0 1.5rem}
ol,ul{margin:.25rem 0;padding-left:1.6rem;font-size:.88rem}li{overflow-wrap:anywhere}
li small{font-size:.76rem}.hit{font-weight:700;color:var(--up)}
blockquote{margin:.4rem 0;padding:.3rem .8rem;border-left:3px solid var(--accent);font-size:.88rem;
overflow-wrap:anywhere;white-space:pre-wrap}
cite{font-style:normal;border-bottom:1px dotted var(--dim)}
footer{margin-top:3rem;font-size:.85rem}
@media (max-width:30rem){.intervals .row{grid-template-columns:1fr 3.6rem}
.row .name{grid-column:1/-1}th,td{padding:.3rem .5rem}tbody th{min-width:6.5rem}}
)";

}  // namespace podium::eval
