{#
    SQL: one row per window of the ledger: its reference, and fingerprints of what its facts depend on, one for predictions
    and one for labels. A fact is stale where it was computed from another fingerprint (int_mlmon__stale_windows,
    int_mlmon__stale_ends). Each begins with the hash of the settings and stays the same as long as nothing that matters has
    changed: the rows of the window, their labels, the settings, the reference. The reference is the one that the window's
    version is compared with or, for a window of a reference table, the one it belongs to.
#}
{% macro window_fingerprints() %}
    select
        window_key,
        source,
        monitor,
        model_version,
        reference_version,
        window_index,
        window_start,
        window_end,
        n_log_rows,
        n_predictions,
        data_through_at,
        reference_key,
        edge_set_number,
        is_readable,
        prediction_fingerprint as row_fingerprint,
        coalesce(settings_hash, md5('')) || md5(prediction_fingerprint || '|' || reference_hash)
            as prediction_fingerprint,
        coalesce(settings_hash, md5(''))
        || md5(prediction_fingerprint || '|' || label_fingerprint || '|' || reference_hash)
            as label_fingerprint
    from (
        select
            ledger.*,
            bounds.data_through_at,
            bounds.settings_hash,
            bounds.monitor is null
            or ledger.source = 'reference'
            -- A log without a row has no beginning: nothing of it is read.
            or coalesce({{ mlmon.is_read_whole('ledger', 'bounds') }}, false) as is_readable,
            coalesce(own_reference.reference_key, shared_reference.reference_key) as reference_key,
            coalesce(own_reference.reference_hash, shared_reference.reference_hash, '')
                as reference_hash,
            coalesce(
                own_reference.edge_set_number,
                shared_reference.edge_set_number,
                settings.edge_set_number
            ) as edge_set_number
        from {{ ref('mlmon', 'int_mlmon__windows') }} as ledger
        left join {{ ref('mlmon', 'int_mlmon__log_bounds') }} as bounds
            on ledger.monitor = bounds.monitor
        left join {{ ref('mlmon', 'int_mlmon__settings') }} as settings
            on ledger.monitor = settings.monitor
        {{ mlmon.references_of('ledger', 'coalesce(ledger.reference_version, ledger.model_version)') | indent(4) }}
    ) as referenced
{%- endmacro %}
