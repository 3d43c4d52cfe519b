"""Looking at data: statistics of a data set, a page of them, and pictures of what a network is given."""
