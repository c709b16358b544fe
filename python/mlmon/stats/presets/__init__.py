"""The numbers that other drift tools print, by their own binning and smoothing.

For those who come from such a tool and want to see the number they know beside mlmon's. Each preset
takes two samples and the kind of the column, and returns the tool's values by the tool's names for
its methods. Written from the tools' published definitions and held against what they printed; where
a tool's number is an artefact, docs/stats.md says what stands here instead.
"""

from mlmon.stats.presets.as_evidently import evidently
from mlmon.stats.presets.as_nannyml import nannyml

__all__ = ["evidently", "nannyml"]
