-- One row per closed window of a version whose reference has a calibration map or an error model: the fingerprint of what its estimates are made from,
-- which is the predictions of its longest span and the reference's labels.
with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where is_default_span and reference_key is not null
),

windows as (
    select
        monitor,
        model_version,
        window_index,
        {{ mlmon.row_checksum(['window_key', 'prediction_fingerprint']) }} as checksum
    from {{ ref('int_mlmon__window_fingerprints') }}
    where n_predictions > 0
),

fitted as (
    select reference_key from {{ ref('int_mlmon__calibration_maps') }}
    {%- if mlmon.estimates_errors() %}
    union
    select reference_key from {{ ref('int_mlmon__error_models') }}
    {%- else %}
    group by reference_key
    {%- endif %}
),

mapped as (
    select
        ends.window_key,
        ends.fingerprint
    from {{ ref('int_mlmon__performance_ends') }} as ends
    inner join fitted
        on ends.window_key = fitted.reference_key
),

checksums as (
    select
        spans.window_key,
        sum(windows.checksum) as checksum
    from spans
    inner join windows
        on
            spans.monitor = windows.monitor
            and spans.model_version = windows.model_version
            and windows.window_index between spans.first_index and spans.window_index
    group by spans.window_key
)

select
    spans.window_key,
    spans.monitor,
    spans.model_version,
    spans.reference_key,
    md5(
        coalesce(cast(checksums.checksum as {{ dbt.type_string() }}), '')
        || '|' || cast(spans.n_windows as {{ dbt.type_string() }})
        || '|' || mapped.fingerprint
    ) as fingerprint
from spans
inner join mapped
    on spans.reference_key = mapped.window_key
left join checksums
    on spans.window_key = checksums.window_key
