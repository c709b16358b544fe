{# The features: kinds, limits, policies, and names that no other column has. #}
{% macro check_features(problems, where, given) %}
    {%- set features = given.get('features') or {} -%}
    {%- set where = where ~ ".features" -%}
    {%- set kinds = ['numeric', 'categorical', 'boolean'] -%}
    {%- if features is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(features), "{column: kind}",
            "write each feature as `name: numeric` or `name: categorical`"
        ) -%}
    {%- else -%}
        {%- for name, written in features.items() -%}
            {%- set here = where ~ "." ~ name -%}
            {%- if name in mlmon.reserved_names() or name in ('score', 'prediction', 'label') -%}
                {%- do mlmon.add_problem(
                    problems, here, "a reserved name",
                    "any name but " ~ (mlmon.reserved_names() + ['score', 'prediction', 'label'])
                    | join(", "),
                    "rename the feature and point it at its column with `column: " ~ name ~ "`"
                ) -%}
            {%- endif -%}
            {%- set feature = written if written is mapping else {'kind': written} -%}
            {%- do mlmon.check_keys(problems, here, feature, mlmon.feature_keys()) -%}
            {%- do mlmon.check_choice(problems, here ~ ".kind", feature.get('kind'), kinds) -%}
            {%- do mlmon.check_column_name(problems, here, feature.get('column', name), feature) -%}
            {%- if feature.get('expression') is not none and 'column' in feature -%}
                {%- do mlmon.add_problem(
                    problems, here, "both column and expression", "one of them",
                    "keep the expression, which may name the column"
                ) -%}
            {%- endif -%}
            {%- for key in ['min', 'max', 'importance'] if feature.get(key) is not none -%}
                {%- if feature.get('kind') != 'numeric' and key != 'importance' -%}
                    {%- do mlmon.add_problem(
                        problems, here ~ "." ~ key, "a limit on a categorical feature",
                        "limits on numeric features", "remove it or make the feature numeric"
                    ) -%}
                {%- else -%}
                    {%- do mlmon.check_number(
                        problems, here ~ "." ~ key, feature[key],
                        0 if key == 'importance' else -1e300, whole=false
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- if feature.get('min') is number and feature.get('max') is number
                and feature['min'] > feature['max'] -%}
                {%- do mlmon.add_problem(
                    problems, here, "min " ~ feature['min'] ~ " above max " ~ feature['max'],
                    "min at or below max", "swap the two"
                ) -%}
            {%- endif -%}
            {%- if feature.get('required', true) is not boolean -%}
                {%- do mlmon.add_problem(
                    problems, here ~ ".required", mlmon.shown(feature['required']), "true or false",
                    "write it without quotes"
                ) -%}
            {%- endif -%}
            {%- do mlmon.check_policies(problems, here, feature, feature.get('kind')) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# Binning, smoothing and missing policies, of a monitor or of one feature. #}
{% macro check_policies(problems, where, given, kind) %}
    {%- if 'smoothing' in given -%}
        {%- do mlmon.check_choice(
            problems, where ~ ".smoothing", given['smoothing'],
            ['floor_1e-4', 'laplace_half', 'none']
        ) -%}
    {%- endif -%}
    {%- if 'missing' in given -%}
        {%- do mlmon.check_choice(problems, where ~ ".missing", given['missing'], ['bin', 'drop']) -%}
    {%- endif -%}
    {%- set bins = given.get('bins') -%}
    {%- if bins is not none and bins is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".bins", mlmon.shown(bins), "{policy:, k:, edges:}",
            "write the bins as a block"
        ) -%}
    {%- elif bins is not none -%}
        {%- set here = where ~ ".bins" -%}
        {%- if kind == 'numeric' -%}
            {%- do mlmon.check_keys(problems, here, bins, ['policy', 'k', 'edges']) -%}
            {%- do mlmon.check_choice(
                problems, here ~ ".policy", bins.get('policy', 'quantile'),
                ['quantile', 'equal_width', 'custom']
            ) -%}
        {%- else -%}
            {%- do mlmon.check_keys(problems, here, bins, ['k']) -%}
        {%- endif -%}
        {%- if 'k' in bins -%}
            {%- do mlmon.check_number(problems, here ~ ".k", bins['k'], 2, most=100) -%}
        {%- endif -%}
        {%- set edges = bins.get('edges') -%}
        {%- if bins.get('policy') == 'custom' and not edges -%}
            {%- do mlmon.add_problem(
                problems, here, "custom bins without edges", "edges: an ascending list of numbers",
                "give the edges"
            ) -%}
        {%- elif edges and bins.get('policy') != 'custom' -%}
            {%- do mlmon.add_problem(
                problems, here ~ ".edges", "edges with policy " ~ bins.get('policy', 'quantile'),
                "edges with policy custom", "add `policy: custom` or remove the edges"
            ) -%}
        {%- elif edges and (edges is string or edges | reject('number') | list
            or edges != edges | unique | sort | list or edges | length > 100) -%}
            {%- do mlmon.add_problem(
                problems, here ~ ".edges", mlmon.shown(edges),
                "up to 100 different numbers in ascending order", "sort them and remove repeats"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# The segments: names that can be told apart, values or a cap, not both. #}
{% macro check_segments(problems, where, given) %}
    {%- set segments = given.get('segments') or [] -%}
    {%- set where = where ~ ".segments" -%}
    {%- set seen = [] -%}
    {%- if segments is string or segments is mapping or segments is not sequence -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(segments), "a list of columns", "write a list like [origin]"
        ) -%}
    {%- else -%}
        {%- for written in segments -%}
            {%- set segment = written if written is mapping else {'name': written} -%}
            {%- set name = segment.get('name') -%}
            {%- set here = where ~ "." ~ name -%}
            {%- do mlmon.check_keys(problems, here, segment, [
                'name', 'column', 'expression', 'quote', 'values', 'max_values',
            ]) -%}
            {%- if name is none or name in mlmon.reserved_names() or name in seen -%}
                {%- do mlmon.add_problem(
                    problems, here, "a reserved, repeated or missing name",
                    "a name of its own, not " ~ mlmon.reserved_names() | join(", "),
                    "rename the segment and point it at its column with `column:`"
                ) -%}
            {%- endif -%}
            {%- do seen.append(name) -%}
            {%- do mlmon.check_column_name(problems, here, segment.get('column', name), segment) -%}
            {%- if segment.get('values') is not none and 'max_values' in segment -%}
                {%- do mlmon.add_problem(
                    problems, here, "both values and max_values", "one of them",
                    "keep values to name them, max_values to cap them"
                ) -%}
            {%- endif -%}
            {%- if 'max_values' in segment -%}
                {%- do mlmon.check_number(
                    problems, here ~ ".max_values", segment['max_values'], 1, most=1000
                ) -%}
            {%- endif -%}
            {%- set declared = segment.get('values') -%}
            {%- if declared is not none and (
                declared is string or declared is not sequence or not declared
                or declared | select('in', mlmon.reserved_names()) | list
            ) -%}
                {%- do mlmon.add_problem(
                    problems, here ~ ".values", mlmon.shown(declared),
                    "a list of values, none of " ~ mlmon.reserved_names() | join(", "),
                    "write a list like [long, short]"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
