"""The flights demo: real flights and outcomes, simulated models and log traffic.

``mlmon.demo.generate`` writes the logs. Nothing is imported here: the command line stays quick.
"""
