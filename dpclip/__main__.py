"""`python -m dpclip` does what `dpclip` does."""

from dpclip.cli import main

if __name__ == "__main__":
    main()
