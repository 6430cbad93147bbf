/** What the container image consists of, apart from the jars. */
@NullMarked
package io.mooring.image;

import org.jspecify.annotations.NullMarked;
