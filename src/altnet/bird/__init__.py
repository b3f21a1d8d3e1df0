"""What BIRD says, as data. Standard library only: this runs on hosts too."""
