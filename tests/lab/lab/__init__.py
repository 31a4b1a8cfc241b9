"""The lab: two machines and a nested guest with real kernels, and the words scenarios use to drive them."""
