{#
    The windows whose fingerprint differs from the one that any of `models` was last computed from, or that
    the ledger no longer knows (fingerprint NULL: their rows go). `ledger` is a relation or CTE with
    window_key and fingerprint.
#}
{% macro stale_windows(ledger, models) %}
    {%- for model in models %}
        {%- if not loop.first %}
        union
        {%- endif %}
        select
            coalesce(ledger.window_key, processed.window_key) as window_key,
            ledger.fingerprint
        from {{ ledger }} as ledger
        full outer join (
            select * from {{ ref('mlmon', 'int_mlmon__processed_windows') }}
            where model_name = '{{ model }}'
        ) as processed
            on ledger.window_key = processed.window_key
        where coalesce(ledger.fingerprint, '') <> coalesce(processed.fingerprint, '')
    {%- endfor %}
{% endmacro %}
