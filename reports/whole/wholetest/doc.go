// Package wholetest lets a test meet folders that may not be written, whoever runs it.
package wholetest
