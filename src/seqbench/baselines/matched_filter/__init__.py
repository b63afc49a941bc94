"""Known or learned templates, found in coloured noise, collisions included.

A recording is whitened, correlated with all templates at once, and explained
one event at a time: the likeliest event is subtracted from the correlations
before the next is searched. Nothing is filtered twice, because what one
template leaves in the correlations of all others is known beforehand.

Axes: S recordings, C channels, K types, T samples of a joined signal, and L
samples of a whitened template. The start of an event is the sample at which
its template starts; its onset is `TemplateDetector.onset` samples later.
"""
