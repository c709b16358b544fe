{# One row per monitor and KPI; kpi_number is that of its column in the facts, the value matrix has none. #}
{% macro kpi_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for kpi in m.kpis -%}
            {%- do rows.append({
                'monitor': m.name, 'kpi': kpi.name, 'kpi_number': kpi.number,
                'needs_label': kpi.needs_label, 'unit': kpi.unit, 'is_higher_better': kpi.is_higher_better,
                'warning': kpi.warning, 'critical': kpi.critical, 'description': kpi.description,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'kpi': 'text', 'kpi_number': 'bigint', 'needs_label': 'boolean',
        'unit': 'text', 'is_higher_better': 'boolean', 'warning': 'double', 'critical': 'double',
        'description': 'text',
    }, rows)) -}}
{% endmacro %}

{# One row per monitor with a value matrix: what a prediction in each cell is worth. #}
{% macro value_matrix_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for kpi in m.kpis if kpi.matrix is not none -%}
            {%- do rows.append({
                'monitor': m.name, 'tp': kpi.matrix.get('tp'), 'fp': kpi.matrix.get('fp'),
                'fn': kpi.matrix.get('fn'), 'tn': kpi.matrix.get('tn'),
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'tp': 'double', 'fp': 'double', 'fn': 'double', 'tn': 'double',
    }, rows)) -}}
{% endmacro %}

{# One row per monitor, KPI and label age it is told at: 'none' without labels, else the horizon and the latest. #}
{% macro kpi_age_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for kpi in m.kpis -%}
            {%- set ages = [m.label_horizon_days ~ 'd', 'latest'] if kpi.needs_label else ['none'] -%}
            {%- for age in ages -%}
                {%- do rows.append({
                    'monitor': m.name, 'kpi': kpi.name, 'label_age': age, 'is_judged_age': loop.first,
                    'needs_label': kpi.needs_label,
                    'label_age_days': m.label_horizon_days if kpi.needs_label and loop.first else none,
                }) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'kpi': 'text', 'label_age': 'text', 'is_judged_age': 'boolean',
        'needs_label': 'boolean', 'label_age_days': 'bigint',
    }, rows)) -}}
{% endmacro %}
