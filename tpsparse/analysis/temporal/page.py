"""The page about a data set of action instances as a Jinja template; pictures and charts come ready."""

from __future__ import annotations

from ..page import STYLE

INSTANCE_PAGE = (
    """
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ name }}: action instances</title>
<style>
"""
    + STYLE
    + """
.picture { background: #fff; margin-bottom: 1rem; }
.picture img { width: auto; max-width: 100%; margin: 0 auto; }
</style>
</head>
<body>
{% macro rows(kind, groups) %}
<div class="card scroll">
<table>
<thead><tr><th>{{ kind }}</th><th>instances</th><th>videos</th><th>boundaries</th><th>sub-actions, mean</th>
<th>seconds, mean</th><th>frames, mean</th></tr></thead>
<tbody>
{% for group in groups %}
<tr><td>{{ group.name }}</td><td>{{ "{:,}".format(group.instances) }}</td><td>{{ "{:,}".format(group.videos) }}</td>
<td>{{ "{:,}".format(group.boundaries) }}</td><td>{{ "{:.2f}".format(group.sub_actions) }}</td>
<td>{{ "{:.1f}".format(group.seconds) }}</td><td>{{ "{:,.0f}".format(group.frames) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endmacro %}
<header>
<h1>{{ name }}</h1>
<p class="soft">Action instances and their sub-actions, {{ subsets }}.</p>
<div class="tiles">
<div class="tile"><b>{{ "{:,}".format(total.instances) }}</b>instances</div>
<div class="tile"><b>{{ "{:,}".format(total.videos) }}</b>source videos</div>
<div class="tile"><b>{{ "{:,}".format(total.boundaries) }}</b>boundaries</div>
<div class="tile"><b>{{ "{:.2f}".format(total.sub_actions) }}</b>sub-actions an instance</div>
<div class="tile"><b>{{ "{:.1f}".format(total.seconds) }} s</b>mean duration</div>
<div class="tile"><b>{{ "{:,}".format(findings|sum(attribute="count")) }}</b><a href="#problems">problems</a></div>
</div>
<nav aria-label="Contents">
<ol>
<li><a href="#subsets">Subsets</a></li>
<li><a href="#sub-actions">Sub-actions</a></li>
<li><a href="#boundaries">Boundaries</a></li>
<li><a href="#{{ lengths.anchor }}">{{ lengths.title }}</a></li>
<li><a href="#problems">Problems</a></li>
</ol>
</nav>
</header>
<main>
<section id="subsets">
<h2>Subsets</h2>
<p>What can be used of each. A boundary is the first frame of a sub-action after the first; durations are those in the
instances' names.</p>
{{ rows("subset", groups) }}
</section>
<section id="sub-actions">
<h2>Sub-actions</h2>
<p>{{ sub_actions_text }}</p>
<figure class="card picture"><img src="{{ sub_actions }}" alt="Sub-actions" loading="lazy"></figure>
{% if actions %}
{{ rows("action", actions) }}
{% endif %}
</section>
<section id="boundaries">
<h2>Boundaries</h2>
<p>Where boundaries fall in an instance whose length is taken as one, as in the TAPOS paper's figure 2.</p>
<figure class="card picture"><img src="{{ boundaries }}" alt="Positions of boundaries" loading="lazy"></figure>
</section>
<section id="{{ lengths.anchor }}">
<h2>{{ lengths.title }}</h2>
<p>{{ lengths.text }}</p>
<div class="grid">
{% for figure in lengths.figures %}
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
<section id="problems">
<h2>Problems</h2>
{% if findings %}
<p>What an error names is not used; what a warning names is used as annotated. tools/prepare_data.py tapos check lists
all of them.</p>
{% for finding in findings %}
<div class="card finding">
<h3><span class="{{ finding.severity }}">{{ finding.severity }}</span> {{ finding.kind }}:
{{ "{:,}".format(finding.count) }}</h3>
<div>Remedy: {{ finding.remedy }}.</div>
<ul>
{% for place, message in finding.examples %}
<li><code>{{ place }}</code> {{ message }}</li>
{% endfor %}
</ul>
</div>
{% endfor %}
{% else %}
<p>None were found.</p>
{% endif %}
</section>
</main>
<footer>Made by tools/analysis/tapos_report.py of tpsparse. This page needs no other file.</footer>
</body>
</html>
"""
).lstrip()
