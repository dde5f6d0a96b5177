"""The contests on one device, in one process: starting costs 20 s a process on such machines.

A supervisor starts the process, and starts it anew without the contestant that ended it. What was
measured is written after every contestant. Floors, the time that nothing can undercut, are told by
the rates of products and copies that the same run measured.
"""
