"""mlmon monitors machine-learning models inside the warehouse.

The dbt package computes the tables; this Python package is its command line and the demo. Nothing
heavy is imported here: ``mlmon --help`` answers at once.
"""

__version__ = "0.2.0"
