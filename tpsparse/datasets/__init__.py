"""Reading data sets: index, frames, one data set a task, transforms, and the synthetic data set.

The modules are imported by name: the task data sets bring mmdet with them, which the light tools do without.
"""
