"""The report's page as a Jinja template: headings, style and tables; the charts come ready from :mod:`.sections`."""

from __future__ import annotations

STYLE = """
:root { --ground: #f6f7f9; --card: #fff; --ink: #14161b; --soft: #5b6470; --line: #dfe3e8; --accent: #0e7c8b;
        --bad: #b3261e; --odd: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14161b; --card: #1e2229; --ink: #eceff3; --soft: #a3adb9; --line: #333a44; --accent: #4dd0e1;
          --bad: #ff8a80; --odd: #ffca28; }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: break-word;
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 1240px; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.5rem 0 .25rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .25rem; }
h3 { font-size: 1rem; margin: 0 0 .6rem; }
p { margin: .25rem 0 1rem; max-width: 75ch; }
a { color: var(--accent); }
.soft, .note { color: var(--soft); }
.note { font-size: .85rem; margin: .5rem 0 0; }
nav ol { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: 1rem 0; }
nav a { display: block; padding: .3rem .75rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .9rem;
        background: var(--card); text-decoration: none; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr));
        align-items: start; }
.grid.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; margin: 0;
        min-width: 0; }
.tiles { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(145px, 1fr)); margin: 1rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem; }
.tile b { display: block; font-size: 1.35rem; line-height: 1.3; white-space: nowrap;
          font-variant-numeric: tabular-nums; }
.chart { display: block; overflow: visible; fill: currentColor; font-size: 13px; }
.chart .value { font-variant-numeric: tabular-nums; }
.chart .axis { stroke: var(--soft); }
.chart .segment { stroke: var(--card); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; }
@media (max-width: 480px) { th, td { padding: .35rem .3rem; font-size: .78rem; } .card { padding: .75rem; } }
.finding { margin-bottom: 1rem; }
.finding ul { margin: .5rem 0 0; padding-left: 1.2rem; font-size: .85rem; }
.finding code { font-size: .95em; overflow-wrap: anywhere; }
.error { color: var(--bad); }
.warning { color: var(--odd); }
img { display: block; width: 100%; height: auto; border-radius: .4rem; }
footer { color: var(--soft); font-size: .85rem; margin: 3rem auto 2rem; }
""".strip()

PAGE = (
    """
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ name }} ({{ split }}): data set report</title>
<style>
"""
    + STYLE
    + """
</style>
</head>
<body>
<header>
<h1>{{ name }}</h1>
<p class="soft">Data set report: what is annotated in split {{ split }}. {{ taxonomy.actions|length }} actions,
{{ taxonomy.parts|length }} parts, {{ taxonomy.states|length }} states and {{ taxonomy.objects|length }} objects are
in its lists.</p>
<div class="tiles">
<div class="tile"><b>{{ "{:,}".format(totals.videos) }}</b>videos</div>
<div class="tile"><b>{{ "{:,}".format(totals.frames) }}</b>frames</div>
<div class="tile"><b>{{ "{:,}".format(totals.persons) }}</b>persons</div>
<div class="tile"><b>{{ "{:,}".format(totals.parts) }}</b>parts</div>
<div class="tile"><b>{{ "{:,}".format(totals.objects) }}</b>objects</div>
<div class="tile"><b>{{ "{:,}".format(findings|sum(attribute="count")) }}</b><a href="#problems">problems</a></div>
</div>
<nav aria-label="Contents">
<ol>
<li><a href="#splits">Splits</a></li>
{% for section in sections %}
<li><a href="#{{ section.anchor }}">{{ section.title }}</a></li>
{% endfor %}
<li><a href="#samples">Sample frames</a></li>
<li><a href="#problems">Problems</a></li>
</ol>
</nav>
</header>
<main>
<section id="splits">
<h2>Splits</h2>
<p>Annotated frames, persons, parts and objects are counted where a split's videos can be used. Named splits are drawn
from the official training videos; of folds the part is shown that each validates on.</p>
<div class="card scroll">
<table>
<thead><tr><th>split</th><th>videos</th><th>frames</th><th>persons</th><th>parts</th><th>objects</th><th>minutes</th></tr>
</thead>
<tbody>
{% for row in splits %}
<tr><td>{{ row.name }}</td><td>{{ "{:,}".format(row.videos) }}</td>
<td>{{ "{:,}".format(row.frames) }}</td><td>{{ "{:,}".format(row.persons) }}</td>
<td>{{ "{:,}".format(row.parts) }}</td><td>{{ "{:,}".format(row.objects) }}</td>
<td>{{ "{:,.1f}".format(row.minutes) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</section>
{% for section in sections %}
<section id="{{ section.anchor }}">
<h2>{{ section.title }}</h2>
<p>{{ section.text }}</p>
<div class="grid">
{% for figure in section.figures %}
<figure class="card">
<h3>{{ figure.title }}</h3>
{{ figure.chart }}
{% if figure.note %}
<p class="note">{{ figure.note }}</p>
{% endif %}
</figure>
{% endfor %}
</div>
</section>
{% endfor %}
<section id="samples">
<h2>Sample frames</h2>
<p>A random annotated frame of each action{{ "" if samples else ": none can be shown" }}.</p>
<div class="grid wide">
{% for sample in samples %}
<figure class="card">
<h3>{{ sample.action }}</h3>
<img src="{{ sample.url }}" width="{{ sample.size[0] }}" height="{{ sample.size[1] }}" loading="lazy"
alt="Annotated frame of {{ sample.action }}">
<figcaption class="note">{{ sample.caption }}</figcaption>
</figure>
{% endfor %}
</div>
</section>
<section id="problems">
<h2>Problems</h2>
{% if findings %}
<p>What reading the whole data set, all splits, has found. What an error names is not used; what a warning names is used
as annotated. All of them are in index/problems.csv.</p>
{% for finding in findings %}
<div class="card finding">
<h3><span class="{{ finding.severity }}">{{ finding.severity }}</span> {{ finding.kind }}:
{{ "{:,}".format(finding.count) }}</h3>
<div>Remedy: {{ finding.remedy or "see the messages" }}.</div>
<ul>
{% for file, message in finding.examples %}
<li><code>{{ file }}</code> {{ message }}</li>
{% endfor %}
</ul>
</div>
{% endfor %}
{% else %}
<p>None were found.</p>
{% endif %}
</section>
</main>
<footer>Made by tools/analysis/dataset_report.py of tpsparse. This page needs no other file.</footer>
</body>
</html>
"""
).lstrip()
