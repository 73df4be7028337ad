"""The rows of the comparison, by the module that measures them."""

from versus.rows import (growth, learner, listing, memory, restart, saturation, sessions, single,
                         snapshot, watches)

# In the order of measuring: first those that share ensembles.
MODULES = [saturation, single, sessions, listing, learner, memory, restart, snapshot, watches,
           growth]
