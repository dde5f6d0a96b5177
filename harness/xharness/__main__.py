"""`python -m xharness`: the command, where no script is on the path."""

from xharness.cli.app import main

if __name__ == "__main__":
    main()
