"""C{python -m pop}: the command line."""

from pop.cli import main

if __name__ == "__main__":
    main()
