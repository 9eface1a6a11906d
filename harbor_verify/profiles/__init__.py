"""The generations of Harbor that are known. A new one is a folder here, and a line below.

What one generation calls things stands here and nowhere else: a test holds that.
"""

from harbor_verify.model.roles import Profile
from harbor_verify.profiles import harbor_1_2, harbor_2

ALL: tuple[Profile, ...] = (harbor_1_2.PROFILE, harbor_2.PROFILE)
