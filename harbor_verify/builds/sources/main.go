// A small web server, as people's images hold one.
package main

import (
	"fmt"
	"log"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(answer, "Welcome to this website!")
	})
	log.Fatal(http.ListenAndServe(":1111", nil))
}
