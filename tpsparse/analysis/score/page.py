"""The bottleneck report's page as a Jinja template, in the style of the data set report."""

from __future__ import annotations

from ..page import STYLE

SCORE_STYLE = """
td.yes { color: var(--accent); font-weight: 700; }
.centre { text-align: center; }
th.words, td.words { text-align: left; }
tr.whole td { font-weight: 600; }
img { background: #fff; padding: .25rem; }
.grid.figures { grid-template-columns: repeat(auto-fill, minmax(min(100%, 560px), 1fr)); margin-top: 1rem; }
figure.full, figure.small { margin-top: 1rem; }
figure.small img { max-width: 760px; }
""".strip()

SCORE_PAGE = (
    """
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ system }}: bottleneck analysis</title>
<style>
"""
    + STYLE
    + "\n"
    + SCORE_STYLE
    + """
</style>
</head>
<body>
<header>
<h1>{{ system }}</h1>
<p class="soft">Bottleneck analysis: the score with predictions replaced by ground truth, and where points are lost.
All numbers are per cent; intervals are 95 % bootstrap intervals over the {{ "{:,}".format(videos) }} videos.</p>
<div class="tiles">
{% for name, interval in main %}
<div class="tile"><b>{{ per_cent(interval.value) }}</b>{{ name }}<br>
<span class="soft">{{ per_cent(interval.low) }} to {{ per_cent(interval.high) }}</span></div>
{% endfor %}
{% if against %}
{% for name, difference in (("score", against.difference), ("action top-1", against.top1_difference)) %}
<div class="tile"><b>{{ per_cent(difference.value, sign=True) }}</b>{{ name }}, against {{ against.name }}<br>
<span class="soft">{{ per_cent(difference.low, sign=True) }} to {{ per_cent(difference.high, sign=True) }}</span></div>
{% endfor %}
{% endif %}
</div>
<nav aria-label="Contents">
<ol>
<li><a href="#rows">Replacing predictions</a></li>
<li><a href="#lost">Lost points</a></li>
<li><a href="#confusion">Confusion</a></li>
<li><a href="#tables">Tables</a></li>
</ol>
</nav>
</header>
<main>
<section id="rows">
<h2>Replacing predictions by ground truth</h2>
<p>The rows of table 1 of the DAP report. Its own column is of another system on Kinetics-TPS; the direction of a row
can be compared with it, the number cannot.</p>
<div class="card scroll">
<table>
<thead><tr><th class="centre">actor</th><th class="centre">part boxes</th><th class="centre">part states</th>
<th class="centre">action</th><th>score</th><th>95 % interval</th><th>gain</th><th>95 % interval</th>
<th>paper's score</th><th>paper's gain</th></tr></thead>
<tbody>
{% for row in rows %}
<tr>
{% for tick in row.ticks %}
<td class="centre{{ " yes" if tick else "" }}">{{ "✓" if tick else "" }}</td>
{% endfor %}
<td>{{ per_cent(row.interval.value) }}</td>
<td>{{ per_cent(row.interval.low) }} to {{ per_cent(row.interval.high) }}</td>
{% if loop.first %}
<td></td><td></td>
{% else %}
<td>{{ per_cent(row.gain.value, sign=True) }}</td>
<td>{{ per_cent(row.gain.low, sign=True) }} to {{ per_cent(row.gain.high, sign=True) }}</td>
{% endif %}
<td class="soft">{{ "%.2f"|format(row.paper) }}</td>
<td class="soft">{{ "" if loop.first else "%+.2f"|format(row.paper_gain) }}</td>
</tr>
{% endfor %}
</tbody>
</table>
</div>
</section>
<section id="lost">
<h2>Where points are lost</h2>
<p>The highest score is 99.99. A video with the wrong action loses all its points to it; any other loses by each part
that is not right. {{ told }}</p>
<figure class="card">
<h3>{{ per_cent(lost) }} points lost, by cause</h3>
{{ causes }}
<p class="note">{{ cause_note }}</p>
</figure>
{{ picture("lost_points.png", "Lost points by action, part and annotated state") }}
{{ picture("psc_accuracy.png", "Accuracy over the demanded PSC", "card small") }}
</section>
<section id="confusion">
<h2>Confusion</h2>
<p>Rows are annotated, columns predicted; the shade is the share of the row. States are those of parts that a proposal
has located, on persons that were found.</p>
<div class="grid figures">
{{ picture("confusion_actions.png", "Confusion of actions") }}
{{ picture("confusion_states.png", "Confusion of states") }}
</div>
<div class="grid figures">
{% for title, pairs in confused %}
<div class="card scroll">
<h3>{{ title }}</h3>
{% if pairs %}
<table>
<thead><tr><th class="words">annotated</th><th class="words">predicted</th><th>times</th></tr></thead>
<tbody>
{% for annotated, given, count in pairs %}
<tr><td class="words">{{ annotated }}</td><td class="words">{{ given }}</td><td>{{ "{:,}".format(count) }}</td></tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p>None.</p>
{% endif %}
</div>
{% endfor %}
</div>
</section>
<section id="tables">
<h2>Tables</h2>
<p>Points of 100, the most lost first. Parts of videos with a wrong action lose nothing more; how often a part is
located and right is counted over all videos.</p>
{% for table in tables %}
<div class="card scroll" style="margin-bottom: 1rem">
<h3>By {{ table.kind }}</h3>
<table>
<thead><tr><th>{{ table.kind }}</th><th>lost</th>
{% for cause in table.causes %}
<th>{{ cause }}</th>
{% endfor %}
<th>{{ table.counted }}</th>
{% if table.located %}
<th>located, %</th>
{% endif %}
<th>right, %</th></tr></thead>
<tbody>
{% for name, entry in table.entries %}
<tr><td>{{ name }}</td><td>{{ per_cent(entry.lost) }}</td>
{% for cause in table.causes %}
<td>{{ per_cent(entry.losses[cause]) }}</td>
{% endfor %}
<td>{{ "{:,}".format(entry.annotated) }}</td>
{% if table.located %}
<td>{{ share(entry.located, entry.annotated) }}</td>
{% endif %}
<td>{{ share(entry.right, entry.annotated) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endfor %}
</section>
</main>
<footer>Made by tools/analysis/bottleneck.py of tpsparse. This page needs no other file.</footer>
</body>
</html>
"""
).lstrip()
