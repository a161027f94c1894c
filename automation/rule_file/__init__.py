"""Rules as a file: written out, compared with the rules there are, and put in force."""
