{# Binning, smoothing and missing policies, of a monitor or of one feature with its monitor's bins. #}
{% macro check_policies(problems, where, given, kind, inherited) %}
    {%- if 'smoothing' in given -%}
        {%- do mlmon.check_choice(
            problems, where ~ ".smoothing", given['smoothing'],
            ['floor_1e-4', 'laplace_half', 'none']
        ) -%}
    {%- endif -%}
    {%- if 'missing' in given -%}
        {%- do mlmon.check_choice(problems, where ~ ".missing", given['missing'], ['bin', 'drop']) -%}
    {%- endif -%}
    {%- if given.get('preset') is not none -%}
        {%- do mlmon.check_choice(
            problems, where ~ ".preset", given['preset'], ['evidently', 'nannyml']
        ) -%}
    {%- endif -%}
    {%- for key in ['drift_methods', 'drift_rule'] if given.get(key) is not none -%}
        {%- do mlmon.check_methods(problems, where ~ "." ~ key, given[key], kind, key) -%}
    {%- endfor -%}
    {%- set bins = given.get('bins') -%}
    {%- if bins is none -%}
    {%- elif bins is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".bins", mlmon.shown(bins), "{policy:, k:, edges:}",
            "write a block such as {k: 20}"
        ) -%}
    {%- elif kind == 'numeric' -%}
        {%- do mlmon.check_bins(problems, where ~ ".bins", bins, inherited) -%}
    {%- else -%}
        {%- do mlmon.check_keys(problems, where ~ ".bins", bins, ['k']) -%}
        {%- do mlmon.check_number(problems, where ~ ".bins.k", bins.get('k', 100), least=2, most=100) -%}
    {%- endif -%}
{% endmacro %}

{# A list of drift statistics that the kind of column has; all of them may be called `all`. #}
{% macro check_methods(problems, where, given, kind, key) %}
    {%- set known = mlmon.drift_methods() if kind == 'numeric'
        else mlmon.drift_methods() | reject('in', mlmon.numeric_drift_methods()) | list -%}
    {%- set allowed = "a list of " ~ known | join(", ")
        ~ (", or all" if key == 'drift_methods' else "") -%}
    {%- if given == 'all' and key == 'drift_methods' -%}
    {%- elif not mlmon.is_list(given) or not given -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), allowed, "write a list like [psi]"
        ) -%}
    {%- else -%}
        {%- for method in given if method not in known -%}
            {%- set near = mlmon.nearest(method, known) if method is string -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(method), allowed,
                "did you mean " ~ near ~ "?" if near else "remove it"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_bins(problems, where, bins, inherited) %}
    {%- set policy = bins.get('policy', inherited.get('policy', 'quantile')
        if inherited is mapping else 'quantile') -%}
    {%- set edges = bins.get('edges', inherited.get('edges') if inherited is mapping else none) -%}
    {%- do mlmon.check_keys(problems, where, bins, ['policy', 'k', 'edges']) -%}
    {%- if 'policy' in bins -%}
        {%- do mlmon.check_choice(
            problems, where ~ ".policy", policy, ['quantile', 'equal_width', 'custom']
        ) -%}
    {%- endif -%}
    {%- if 'k' in bins and policy == 'custom' -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".k", "k beside custom edges",
            "k with the policies quantile and equal_width", "remove it; the edges say how many bins"
        ) -%}
    {%- elif 'k' in bins -%}
        {%- do mlmon.check_number(problems, where ~ ".k", bins['k'], least=2, most=100) -%}
    {%- endif -%}
    {%- if policy == 'custom' and not edges -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".edges", "custom bins without edges",
            "an ascending list of numbers", "write a list like [0, 10, 100]"
        ) -%}
    {%- elif 'edges' in bins and bins['edges'] is not none and policy != 'custom' -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".edges", "edges with the policy " ~ policy,
            "edges with the policy custom", "add `policy: custom` or remove the edges"
        ) -%}
    {%- elif 'edges' in bins and policy == 'custom' -%}
        {%- do mlmon.check_edges(problems, where ~ ".edges", edges) -%}
    {%- endif -%}
{% endmacro %}

{% macro check_edges(problems, where, edges) %}
    {%- set listed = edges if mlmon.is_list(edges) else [] -%}
    {%- set unfit = namespace(any=not listed or listed | length > 99) -%}
    {%- for edge in listed if not unfit.any -%}
        {%- set unfit.any = edge is not number or edge is boolean or edge != edge
            or edge | abs > 1.7e308 or not loop.first and not edge > loop.previtem -%}
    {%- endfor -%}
    {%- if unfit.any -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(edges), "up to 99 different numbers in ascending order",
            "sort them, remove repeats, and write them as 1, 0.5 or 1.0e-4"
        ) -%}
    {%- endif -%}
{% endmacro %}
