"""What is in the database, by subject. Every function may raise DatabaseError."""
