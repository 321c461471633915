"""Speed side by side with a baseline in the same run, printed as ratios: `make bench`. Nothing is asserted."""
