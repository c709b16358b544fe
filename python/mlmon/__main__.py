"""``python -m mlmon`` is the command ``mlmon``."""

from mlmon.cli import main

if __name__ == "__main__":
    main()
