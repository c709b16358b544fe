"""What the tests share: warehouses, small dbt projects, comparisons."""
