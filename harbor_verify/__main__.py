"""`python -m harbor_verify` is the command `harbor-verify`."""

import sys

from harbor_verify.command import main

sys.exit(main())
