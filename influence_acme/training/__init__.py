"""The fused trainer: unroll and update in one process, on any JAX."""
