/** Renders the chart with Helm and looks at what comes out. */
@NullMarked
package io.mooring.chart;

import org.jspecify.annotations.NullMarked;
