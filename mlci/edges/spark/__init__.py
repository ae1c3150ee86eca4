"""Apache Spark as the engine: a session of its own on a cluster, on this machine, or the one that is there already."""
