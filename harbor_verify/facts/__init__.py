"""What a deployment is: how it is exposed, where images are, what its stores stand on.

Each fact says where it comes from.
"""

from harbor_verify.facts.model import Exposure, Fact, Facts, ImageStore, StorePlace, overridden

__all__ = ["Exposure", "Fact", "Facts", "ImageStore", "StorePlace", "overridden"]
