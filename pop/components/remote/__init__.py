"""What is registered in one framework, used in another: exports, imports, and what carries calls.

Bundles: L{pop.components.remote.core} knows what is exported and imported,
L{pop.components.remote.transport} carries calls, and L{pop.components.remote.discovery} finds
what others export. None is imported unless it is installed.
"""
