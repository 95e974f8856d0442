module hooktool

go 1.19
