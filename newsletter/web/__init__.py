"""The two web servers: public/ for readers, preview/ for the writer."""
