"""How good a parse is: the challenge's score, its files, and what training runs watch."""
