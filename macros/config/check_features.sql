{# The features: their kinds, columns, limits and policies, and names that can be told apart. #}
{% macro check_features(problems, where, given) %}
    {%- set features = given.get('features') or {} -%}
    {%- set here = where ~ ".features" -%}
    {%- if features is not mapping -%}
        {%- do mlmon.add_problem(
            problems, here, mlmon.shown(features), "{name: kind}",
            "write each feature as `name: numeric` or `name: categorical`"
        ) -%}
    {%- else -%}
        {%- set seen = {} -%}
        {%- for name, written in features.items() -%}
            {%- set feature = written if written is mapping else {'kind': written} -%}
            {%- do mlmon.check_feature(problems, here ~ "." ~ name, name, feature, given) -%}
            {%- do mlmon.check_case(problems, here ~ "." ~ name, name, feature, seen) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_feature(problems, here, name, feature, given) %}
    {%- set kind = feature.get('kind') -%}
    {%- set reserved = mlmon.reserved_names() + ['score', 'prediction', 'label'] -%}
    {%- if name in reserved -%}
        {%- do mlmon.add_problem(
            problems, here, "the reserved name " ~ mlmon.shown(name),
            "any name but " ~ reserved | join(", "),
            "rename the feature and point it at its column with `column: " ~ name ~ "`"
        ) -%}
    {%- endif -%}
    {%- do mlmon.check_keys(problems, here, feature, mlmon.feature_keys()) -%}
    {%- do mlmon.check_choice(
        problems, here ~ ".kind", kind, ['numeric', 'categorical', 'boolean']
    ) -%}
    {%- do mlmon.check_column(problems, here, feature, 'column', feature.get('column', name)) -%}
    {%- for key in ['min', 'max'] if feature.get(key) is not none -%}
        {%- if kind in ('categorical', 'boolean') -%}
            {%- do mlmon.add_problem(
                problems, here ~ "." ~ key, "a limit on a " ~ kind ~ " feature",
                "limits on numeric features", "remove it or make the feature numeric"
            ) -%}
        {%- else -%}
            {%- do mlmon.check_number(problems, here ~ "." ~ key, feature[key], whole=false) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if feature.get('min') is number and feature.get('max') is number
        and feature['min'] > feature['max'] -%}
        {%- do mlmon.add_problem(
            problems, here, "min " ~ feature['min'] ~ " above max " ~ feature['max'],
            "min at or below max", "swap the two"
        ) -%}
    {%- endif -%}
    {%- if feature.get('importance') is not none -%}
        {%- do mlmon.check_number(
            problems, here ~ ".importance", feature['importance'], least=0, whole=false
        ) -%}
    {%- endif -%}
    {%- if 'required' in feature -%}
        {%- do mlmon.check_flag(problems, here ~ ".required", feature['required']) -%}
    {%- endif -%}
    {%- if feature.get('description') is not none -%}
        {%- do mlmon.check_text(problems, here ~ ".description", feature['description']) -%}
    {%- endif -%}
    {%- if feature.keys() | select('in', mlmon.policy_keys()) | list -%}
        {%- do mlmon.check_policies(problems, here, feature, kind, given.get('bins') or {}) -%}
    {%- endif -%}
{% endmacro %}

{# Unquoted names are the same to a warehouse where they differ by case alone. #}
{% macro check_case(problems, where, name, given, seen) %}
    {%- set folded = name | string | lower -%}
    {%- if folded in seen and not (given.get('quote') or given.get('expression')
        or given.get('column') or seen[folded].is_apart) -%}
        {%- do mlmon.add_problem(
            problems, where, "a name that differs from " ~ mlmon.shown(seen[folded].name) ~ " by case alone",
            "names that differ by more, or `quote: true`", "remove one, or quote both"
        ) -%}
    {%- endif -%}
    {%- do seen.update({folded: {
        'name': name,
        'is_apart': given.get('quote') or given.get('expression') or given.get('column'),
    }}) -%}
{% endmacro %}

{# The segments: a list of columns, each with declared values or a cap on the frequent ones. #}
{% macro check_segments(problems, where, given) %}
    {%- if given is not none and not mlmon.is_list(given) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), "a list of columns", "write a list like [origin]"
        ) -%}
    {%- else -%}
        {%- set seen = {} -%}
        {%- for written in given or [] -%}
            {%- set segment = written if written is mapping else {'name': written} -%}
            {%- set name = segment.get('name') -%}
            {%- set here = where ~ "." ~ (name if name else loop.index) -%}
            {%- if name is none -%}
                {%- do mlmon.add_problem(
                    problems, here, "a segment without a name", "a column or {name:, ...}",
                    "add `name:`"
                ) -%}
            {%- elif name in seen.values() | map(attribute='name') | list -%}
                {%- do mlmon.add_problem(
                    problems, here, "the same name twice", "each segment once", "remove one of them"
                ) -%}
            {%- else -%}
                {%- do mlmon.check_segment(problems, here, name, segment) -%}
                {%- do mlmon.check_case(problems, here, name, segment, seen) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_segment(problems, here, name, segment) %}
    {%- do mlmon.check_keys(problems, here, segment, mlmon.segment_keys()) -%}
    {%- if name in mlmon.reserved_names() -%}
        {%- do mlmon.add_problem(
            problems, here, "the reserved name " ~ mlmon.shown(name),
            "any name but " ~ mlmon.reserved_names() | join(", "),
            "rename the segment and point it at its column with `column: " ~ name ~ "`"
        ) -%}
    {%- endif -%}
    {%- do mlmon.check_column(problems, here, segment, 'column', segment.get('column', name)) -%}
    {%- if segment.get('values') is not none and 'max_values' in segment -%}
        {%- do mlmon.add_problem(
            problems, here, "both values and max_values", "one of them",
            "keep values to name them, or max_values to cap them"
        ) -%}
    {%- endif -%}
    {%- if 'max_values' in segment -%}
        {%- do mlmon.check_number(
            problems, here ~ ".max_values", segment['max_values'], least=1, most=1000
        ) -%}
    {%- endif -%}
    {%- if segment.get('values') is not none -%}
        {%- do mlmon.check_values(problems, here ~ ".values", segment['values'], "[short, long]") -%}
    {%- endif -%}
{% endmacro %}
