"""A matched filter and a small network that corrects its log-odds and times, and starts at zero."""
